"""Would the lender approve this mortgage? Several named inputs, and a slice that is none of them."""
