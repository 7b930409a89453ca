"""OCPP 1.6J and 2.0.1: one listener, one link per charger, both versions give the same events."""
