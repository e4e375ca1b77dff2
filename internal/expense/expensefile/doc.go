// Package expensefile reads and writes files of expenses: CSV by RFC 4180 and JSON
// as exports have them, and tables as people have them: in whatever encoding, with
// whatever separator, names of columns, forms of dates and of amounts.
//
// It holds one expense at a time, never writes a cell that a spreadsheet would
// compute, never guesses where a file can be read in two ways, and knows neither
// the database nor HTTP: an export is handed a function that calls it with one
// expense after the other, and an import one that opens the file.
//
// Start reading at [WriteCSV]; [Examine] finds out how a file is to be read, and
// [Layout.Rows] reads it.
package expensefile
