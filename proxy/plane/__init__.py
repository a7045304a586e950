"""The data plane: forwards requests and puts the credential on them."""
