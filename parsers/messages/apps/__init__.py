"""Balloons: messages made by an app, one module for each app whose payload is understood."""
