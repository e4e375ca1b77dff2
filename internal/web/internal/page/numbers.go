package page

import (
	"strconv"
	"strings"
	"sync"

	"github.com/bojanz/currency"
)

// maxDigits is how many digits a number of 64 bits has at most.
const maxDigits = 19

// numbers writes amounts, which come in the currency's smallest unit, as a region does.
// That is known to github.com/bojanz/currency, which takes some microseconds for one: it
// is asked once for each number of digits, by a number of ones, each of which then marks
// the place of a digit.
type numbers struct {
	decimals int
	forms    func() *numberForms
}

// numberForms are the texts of numbers of ones, by the number of digits.
type numberForms struct{ positive, negative [maxDigits + 1]string }

// newNumbers returns how a formatter writes amounts in a currency.
func newNumbers(formatter *currency.Formatter, code string) numbers {
	// The currency is one of the library's, by which there are no errors.
	decimals, _ := currency.GetDigits(code)
	return numbers{int(decimals), sync.OnceValue(func() *numberForms {
		forms, ones := &numberForms{}, int64(0)
		for digits := 1; digits <= maxDigits; digits++ {
			ones = 10*ones + 1
			positive, _ := currency.NewAmountFromInt64(ones, code)
			negative, _ := currency.NewAmountFromInt64(-ones, code)
			forms.positive[digits], forms.negative[digits] = formatter.Format(positive), formatter.Format(negative)
		}
		return forms
	})}
}

// text writes a number.
func (n numbers) text(number int64) string {
	forms := &n.forms().positive
	size := uint64(number)
	if number < 0 {
		forms, size = &n.forms().negative, -size
	}
	digits := strconv.FormatUint(size, 10)
	// Before the decimal mark stands at least a zero.
	digits = strings.Repeat("0", max(0, n.decimals+1-len(digits))) + digits
	text := []byte(forms[len(digits)])
	for i := range text {
		if text[i] == '1' {
			text[i], digits = digits[0], digits[1:]
		}
	}
	return string(text)
}
