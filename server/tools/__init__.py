"""What any server needs: settings, data files, logs, metrics, loops, the clock."""
