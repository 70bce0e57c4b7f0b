"""The papers (文书) that an authority gives: their data, their texts, and what the two say together."""
