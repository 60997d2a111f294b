"""Text for people: messages and their rendering in a language, errors, characters that are safe to show."""
