"""`tandem demo`: bank, telco and coordinator as processes on this machine, TLS between them, from raw tables to a campaign's report."""
