"""The only readers and writers of file formats."""
