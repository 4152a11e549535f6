"""Rosters: lists of residents as communities keep them, from spreadsheet to rows and back.

`reading` opens the file, `columns` guesses what each column is, `checking` judges rows without a database,
`writing` compares with what is registered and writes all or nothing, `exporting` is the way back.
"""
