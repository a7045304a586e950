"""Where tokens are kept between renewals."""
