package openid

import (
	"reflect"
	"strings"
	"testing"

	"expense-dashboard/internal/openid/claims"
)

func TestIdentify(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, idToken, userInfo string
		person                  Identity // zero if refused
	}{
		{"all in the ID Token", `{"sub":"1","email":"a@example.com","name":"Ann"}`, `{}`, Identity{Subject: "1", Email: "a@example.com", Name: "Ann"}},
		{"all in UserInfo", `{"sub":"1"}`, `{"email":"a@example.com","name":"Ann"}`, Identity{Subject: "1", Email: "a@example.com", Name: "Ann"}},
		{"the ID Token wins", `{"sub":"1","email":"a@example.com","name":"Ann"}`, `{"email":"b@example.com","name":"Bob"}`, Identity{Subject: "1", Email: "a@example.com", Name: "Ann"}},
		{"no name", `{"sub":"1","email":"a@example.com"}`, `{}`, Identity{Subject: "1", Email: "a@example.com", Name: "a@example.com"}},
		{"blanks around", `{"sub":"1","email":" a@example.com\t","name":" Ann "}`, `{}`, Identity{Subject: "1", Email: "a@example.com", Name: "Ann"}},
		{"control characters in the name", `{"sub":"1","email":"a@example.com","name":"A\u0000n\u001bn"}`, `{}`, Identity{Subject: "1", Email: "a@example.com", Name: "A n n"}},
		{"long name", `{"sub":"1","email":"a@example.com","name":"` + strings.Repeat("ü", 300) + `"}`, `{}`, Identity{Subject: "1", Email: "a@example.com", Name: strings.Repeat("ü", 200)}},
		{"not verified in UserInfo alone", `{"sub":"1","email":"a@example.com","email_verified":true}`, `{"email_verified":false}`, Identity{Subject: "1", Email: "a@example.com", Name: "a@example.com", Unverified: true}},
		{"not verified in the ID Token alone", `{"sub":"1","email":"a@example.com","email_verified":false}`, `{"email_verified":true}`, Identity{Subject: "1", Email: "a@example.com", Name: "a@example.com", Unverified: true}},
		{"no email", `{"sub":"1","name":"Ann"}`, `{}`, Identity{}},
		{"blank email", `{"sub":"1","email":"  "}`, `{"email":"a@example.com"}`, Identity{}},
		{"no sub", `{"email":"a@example.com"}`, `{"sub":"1"}`, Identity{}},
		{"email is a number", `{"sub":"1","email":1}`, `{"email":"a@example.com"}`, Identity{}},
		{"name is a number", `{"sub":"1","email":"a@example.com","name":1}`, `{}`, Identity{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			idToken, err1 := claims.Parse([]byte(test.idToken))
			userInfo, err2 := claims.Parse([]byte(test.userInfo))
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			person, err := identify(idToken, userInfo, emailClaim)
			if !reflect.DeepEqual(person, test.person) || (err != nil) != reflect.DeepEqual(test.person, Identity{}) {
				t.Errorf("identify = %+v, %v; want %+v", person, err, test.person)
			}
		})
	}
}
