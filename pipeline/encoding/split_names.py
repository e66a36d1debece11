"""The name of an encoded split that several packages open."""

TEXT = "text.parquet"
"""The text without tags, in a folder of its own."""
