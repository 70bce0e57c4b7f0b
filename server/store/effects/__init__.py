"""What follows a commit in the store: worklists, claims, counts, warnings, notices, deadlines, contents to fetch."""
