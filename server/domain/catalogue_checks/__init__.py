"""Whether a catalogue is sound and keeps the nation's standard, checked before it is used."""
