"""Plans against an independent solver (HiGHS)."""
