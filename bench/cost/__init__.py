"""``make bench``: what forwarding costs, beside Envoy, nginx, HAProxy and the obvious forwarder."""
