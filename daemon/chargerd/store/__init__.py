"""Where state, settled sessions and their event log outlive the process."""
