"""The doors: parse, call one desk function, answer."""
