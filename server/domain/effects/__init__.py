"""What must follow the events of a case: tasks, letters, notices, deadlines, warnings."""
