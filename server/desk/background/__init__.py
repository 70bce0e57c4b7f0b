"""The use cases of `work`: deadlines, notices, reminders, counts, new dates."""
