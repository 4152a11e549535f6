"""The district system: one Django project whose contexts point downwards (docs/where-is-what.md)."""
