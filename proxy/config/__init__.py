"""The configuration file: its model, its presets and messages that say where a mistake is."""
