"""What the collection costs beside the tools that people use today, measured side by side on a twin."""
