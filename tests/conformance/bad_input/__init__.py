"""Bad input: the API server refuses it in kube-apiserver's words, and goes on as if it had never come.

`cases.py` holds the requests, `sender.py` sends them and keeps what matters of the answer, `record.py` asks a real
kube-apiserver and writes tests/golden/bad_input.json. Broken HTTP is in a test of its own: there an answer may be a
closed connection.
"""
