"""What is shown of a run, as blocks (the document model) that are made from steps. No format, no terminal."""
