"""What builds the book beside Sphinx: its contents, and one small extension for each thing that Sphinx does not do."""
