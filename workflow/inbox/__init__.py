"""What people sent and what they said of it: pictures, reports, labels and tokens, stored beside the generations."""
