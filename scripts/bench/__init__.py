"""What Lulu takes and how fast it shows it, measured in a real server and a real browser: ``make bench``."""
