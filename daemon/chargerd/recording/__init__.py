"""What was decided in the last days, on disk, so that it can be run again: ``chargerd replay FILE``.

For every charger and UTC day there is one file in the folder ``recording`` beside the database, for example
``garage-2026-11-25.jsonl.gz``: gzip, inside it one JSON object a line. ``lines`` says how a line is spelled, ``files``
how lines get on disk and back, ``recorder`` what is written when, and ``replay`` runs a file through the core.

A recording holds card numbers, the names of chargers, cars and policies, and when a car was there and charged. Who
attaches one to a bug report shows that to its readers.
"""
