"""What a migrating engineer reads: one model of a conversion, as Markdown, JSON and HTML."""
