// Package expensefile reads and writes files of expenses: CSV by RFC 4180 and JSON
// as exports have them, CSV as imports take them.
//
// It holds one expense at a time, never writes a cell that a spreadsheet would
// compute, and knows neither the database nor HTTP: an export is handed a function
// that calls it with one expense after the other.
//
// Start reading at [WriteCSV]; [ParseImport] is the way back.
package expensefile
