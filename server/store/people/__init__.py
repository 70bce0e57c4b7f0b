"""People in the store: citizens and officers with their sessions, mandates, attempts to sign in."""
