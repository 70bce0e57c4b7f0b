"""The only room that speaks to the database and to blob storage."""
