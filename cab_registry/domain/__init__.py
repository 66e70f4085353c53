"""The words of the subject: periods, records, questions, verdicts, errors. Pure."""
