"""Metrics, experiments and the listening test."""
