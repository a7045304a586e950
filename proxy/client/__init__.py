"""For Python programs that want tokens without the proxy."""
