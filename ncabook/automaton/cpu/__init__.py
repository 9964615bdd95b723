"""Fast steps on a CPU: one compiled step that skips idle and dead cells and keeps states only."""
