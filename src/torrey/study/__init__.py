"""Tables of many signals: gathered, compared, fitted."""
