"""What accounts and invitations cost; `make bench` measures it."""
