"""The scenes: functions that compute a picture's numbers and return it as plain data."""
