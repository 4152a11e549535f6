/** The application that needs neither network nor login (web/pass). */
export const APPLICATION = "/pass/";
/** The page with the login, where a phone begins. */
export const OWN_PAGE = "/me/pass/";
