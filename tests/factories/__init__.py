"""Factories: each builds the least true thing."""
