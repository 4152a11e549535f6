"""Users, the offices they hold (role × area × dates), their rights and their second factor."""
