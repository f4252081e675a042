"""What models cost, after: FOCUS exports of all three clouds read, cleaned, attributed and summed."""
