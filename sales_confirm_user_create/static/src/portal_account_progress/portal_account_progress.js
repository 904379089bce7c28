import {
    ProgressBarField,
    progressBarField,
} from "@web/views/fields/progress_bar/progress_bar_field";
import {onMounted, onWillUnmount} from "@odoo/owl";
import {registry} from "@web/core/registry";

const SECONDS = 3;

/** Progress of a job that runs on the server: the record is read again as long as it runs. */
export class PortalAccountProgress extends ProgressBarField {
    setup() {
        super.setup();
        let timer = null;
        onMounted(() => {
            timer = setInterval(() => this.reload(), SECONDS * 1000);
        });
        onWillUnmount(() => clearInterval(timer));
    }

    async reload() {
        const {state, email_count} = this.props.record.data;
        if (state === "running" || (state === "done" && email_count)) {
            await this.props.record.load();
        }
    }
}

registry.category("fields").add("portal_account_progress", {
    ...progressBarField,
    component: PortalAccountProgress,
});
