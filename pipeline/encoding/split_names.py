"""How the files of encoded splits are called."""

TEXT = "text.parquet"
"""The text without tags, in a folder of its own."""
