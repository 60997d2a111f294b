"""Text for people: every sentence in each language, errors, characters that are safe to show."""
