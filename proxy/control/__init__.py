"""The control plane: tells people and programs what goes on."""
