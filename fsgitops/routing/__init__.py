"""The dialplan and directory as FreeSWITCH reads them."""
