//! The rules that terms are applied as.

use super::{Page, Reading};
use ambit_ledger::Digest;
use ambit_policy::rule_count;

impl Reading<'_> {
    pub(super) fn rules(&self, page: &mut Page, rendered_profile: &str) {
        let terms = self.terms;
        page.heading("RULES");
        let rendered = Digest::of(rendered_profile.as_bytes());
        if rendered == terms.profile {
            page.paragraph(&format!(
                "Nodes apply these terms as a policy that is made of them. Its SHA-256 is {rendered}."
            ));
        } else {
            page.paragraph(&format!(
                "DO NOT SIGN: the terms are to be applied as a policy with the SHA-256 {}, but this node makes \
                 {rendered} of them. Ask for an invitation made with the same version of the program.",
                terms.profile
            ));
        }
        let Some(forbids) = &terms.forbids else {
            page.paragraph("Nobody added rules by hand.");
            return;
        };
        page.paragraph(
            "Rules added by hand, in the policy language Cedar. They can only forbid what is above, never allow \
             more. Word for word, each line behind a bar:",
        );
        page.verbatim(forbids);
        page.paragraph("End of the rules added by hand.");
        // What they cost is borne by each member's node.
        let (rules, purposes) = (rule_count(forbids), terms.purposes.len());
        page.paragraph(&format!(
            "For all observations alike in what policies read, your node asks once: {rules} {} for each of {purposes} {}.",
            if rules == 1 { "rule" } else { "rules" },
            if purposes == 1 { "purpose" } else { "purposes" },
        ));
    }
}
