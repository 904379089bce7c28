import * as tourUtils from "@website_sale/js/tours/tour_utils";
import {registry} from "@web/core/registry";

registry.category("web_tour.tours").add("portal_account_guest_checkout", {
    url: "/shop",
    steps: () => [
        ...tourUtils.addToCart({productName: "Free advice", expectUnloadPage: true}),
        tourUtils.goToCart({quantity: 1}),
        tourUtils.goToCheckout(),
        ...tourUtils.fillAdressForm(
            {
                name: "Jane Guest",
                phone: "123456789",
                email: "jane.guest@example.com",
                street: "1 Main Street",
                city: "Brussels",
                zip: "1000",
            },
            true
        ),
        {
            content: "Confirm the free order",
            trigger: "button[name='o_payment_submit_button']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The page says where the invitation goes",
            trigger:
                ".o_portal_account_created[role=status] strong:contains(jane.guest@example.com)",
        },
        {
            content: "There is no button to sign up again",
            trigger: "main:not(:has(a[href*='token=']))",
        },
    ],
});

registry.category("web_tour.tours").add("portal_account_activate", {
    steps: () => [
        {
            content: "The page says whose account it is",
            trigger: "#wrap h1:contains(Activate your account)",
        },
        {
            content: "The first field is ready to type in",
            trigger: "input[name=password]:focus",
            run: "edit Secret-12345",
        },
        {
            content: "Repeat the password",
            trigger: "input[name=confirm_password]",
            run: "edit Secret-12345",
        },
        {
            content: "Look at it",
            trigger: ".o_show_password:last",
            run: "click",
        },
        {
            content: "Activate",
            trigger:
                "form:has(input[name=confirm_password][type=text]) button[type=submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "This is the order that invited the customer",
            trigger: "#portal_sale_content #introduction h2",
        },
    ],
});

registry.category("web_tour.tours").add("portal_account_confirm_button", {
    steps: () => [
        {
            content: "Confirm the quotation",
            trigger: ".o_statusbar_buttons button[name=action_confirm]",
            run: "click",
        },
        {
            content: "It is a sales order",
            trigger: ".o_arrow_button_current[data-value=sale]",
        },
        {
            content: "The note names the account",
            trigger:
                ".o-mail-Message:contains(Portal account created for the customer)",
        },
        {
            content: "Open the other information",
            trigger: ".o_notebook a[name=other_information]",
            run: "click",
        },
        {
            content: "The order is marked",
            trigger: ".o_field_widget[name=user_created] input:checked:disabled",
        },
    ],
});

registry.category("web_tour.tours").add("portal_account_settings", {
    steps: () => [
        {
            content: "Open the settings of the website",
            trigger: ".settings_tab .tab[data-key=website]",
            run: "click",
        },
        {
            content: "Edit the invitation",
            trigger: "#portal_invitation_setting button:contains(Edit the invitation)",
            run: "click",
        },
        {
            content: "Go back",
            trigger: ".o_breadcrumb a:contains(Settings)",
            run: "click",
        },
        {
            content: "Open the settings of Sales",
            trigger: ".settings_tab .tab[data-key=sale_management]",
            run: "click",
        },
        {
            content: "Their link leads to those of the website",
            trigger: "#sale_portal_account_setting a[role=button]",
            run: "click",
        },
        {
            content: "Reminders can be set",
            trigger:
                "#portal_invitation_setting .o_field_widget[name=portal_reminder_max]:visible",
        },
        {
            content: "Choose never",
            trigger:
                "#portal_account_setting .o_field_widget[name=portal_account_policy] .o_radio_item:contains(Never) input",
            run: "click",
        },
        {
            content: "Save",
            trigger: ".o_form_button_save",
            run: "click",
        },
        {
            content: "It is saved",
            trigger: ".o_form_saved, .o_form_view:not(:has(.o_form_dirty))",
        },
    ],
});

registry.category("web_tour.tours").add("portal_account_resend", {
    steps: () => [
        {
            content: "Open the other information",
            trigger: ".o_notebook a[name=other_information]",
            run: "click",
        },
        {
            content: "Resend the invitation",
            trigger: "button[name=action_resend_portal_invitation]",
            run: "click",
        },
        {
            content: "It says where it goes",
            trigger: ".o_notification:contains(sent to jane@example.com.)",
        },
    ],
});

registry.category("web_tour.tours").add("portal_account_batch", {
    steps: () => [
        {
            content: "Select all orders",
            trigger: ".o_list_view thead .o_list_record_selector input",
            run: "click",
        },
        {
            content: "Open the actions",
            trigger: ".o_cp_action_menus button:contains(Actions)",
            run: "click",
        },
        {
            content: "Create portal accounts",
            trigger: ".o-dropdown-item:contains(Create portal accounts)",
            run: "click",
        },
        {
            content: "The preview says that nothing has happened",
            trigger: ".o_form_view .alert:contains(Nothing has happened yet)",
        },
        {
            content: "Start",
            trigger: "button[name=action_start]:contains(Create accounts)",
            run: "click",
        },
        {
            content: "It runs in the background",
            trigger: ".o_form_view .alert:contains(in the background)",
        },
        {
            content: "Stop",
            trigger: "button[name=action_stop]",
            run: "click",
        },
        {
            content: "It can be resumed",
            trigger: "button[name=action_start]:contains(Resume)",
        },
    ],
});
