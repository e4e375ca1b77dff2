package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"
)

// usualNote is how many characters the note of an expense has.
const usualNote = 39

// notes is the longest note that an expense may have: those of others begin as it
// does.
var notes = strings.Repeat("a note of some length about what it was ", 50)

// fileRows is how many expenses one import adds.
const fileRows = 20_000

// importAll adds expenses of forty persons and twelve categories over three years:
// so many to the team of many, so many to three others, and twenty to that of few.
func (p *program) importAll(admin *visitor, rows, others int) error {
	all := rows + others + 20
	for from := 1; from <= all; from += fileRows {
		var file bytes.Buffer
		file.WriteString("id,date,team,person,item,category,amount,note\r\n")
		for i := from; i < from+fileRows && i <= all; i++ {
			team := "few"
			switch {
			case i <= rows:
				team = "many"
			case i <= rows+others:
				team = fmt.Sprintf("team-%d", i%3)
			}
			writeRow(&file, i, team, usualNote)
		}
		if err := p.importFile(admin, file.Bytes()); err != nil {
			return fmt.Errorf("import from row %d: %w", from, err)
		}
	}
	return nil
}

// writeRow writes the expense of a number, with a note of so many characters. What it says is mixed from the number,
// so that each category has expenses of every person in every month.
func writeRow(file io.Writer, i int, team string, note int) {
	a, b := i*2654435761%4294967291/1000, i*2246822519%4294967291/1000
	// The last year is the one before this, since nothing is spent in the future.
	date := time.Date(firstYear+a%years, time.Month(1+a/3%12), 1+a/36%28, 0, 0, 0, 0, time.UTC)
	cents := 1 + i*7907%500000
	fmt.Fprintf(file, ",%s,%s,Person %d,Item %d,Category %d,%d.%02d,%.*s\r\n",
		date.Format(time.DateOnly), team, b%40, b/40%5000, a/1008%categories, cents/100, cents%100, note, notes)
}

// importFile sends a file as an administrator's browser does, and follows where
// that leads, to a page that says it is done.
func (p *program) importFile(admin *visitor, content []byte) error {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("confirm", "yes"); err != nil {
		return err
	}
	file, err := form.CreateFormFile("file", "expenses.csv")
	if err != nil {
		return err
	}
	if _, err := file.Write(content); err != nil {
		return err
	}
	if err := form.Close(); err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, p.baseURL+"/expenses/import", &body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Accept", "text/html")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	request.Header.Set("Cookie", admin.cookies)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("status %s: %.2000s", answer.Status, text)
	}
	return p.awaitImport(admin, answer.Header.Get("Location"))
}

// awaitImport returns when the import is done that somebody was led to the page of;
// one that is done at once leads elsewhere.
func (p *program) awaitImport(admin *visitor, page string) error {
	for strings.HasPrefix(page, "/expenses/import/") {
		request, err := http.NewRequest(http.MethodGet, p.baseURL+page, nil)
		if err != nil {
			return err
		}
		request.Header.Set("Accept", "application/json")
		request.Header.Set("Cookie", admin.cookies)
		answer, err := browser.Do(request)
		if err != nil {
			return err
		}
		var counts struct{ State string }
		err = json.NewDecoder(answer.Body).Decode(&counts)
		answer.Body.Close()
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", page, err)
		case counts.State == "done":
			return nil
		case counts.State != "running":
			return fmt.Errorf("the import is %s", counts.State)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}
