"""Papers as files: set as PDF, sealed, and judged again."""
